import { XMLParser } from "fast-xml-parser";

import { releases } from "../../bigbluebutton/releases";
import { renderTurnStunServers, turnUrls } from "../../bigbluebutton/turnStunServers";

const args = { host: "turn.example.org", secret: "0123456789abcdef" };

test("the form of 2.6 and later: no STUN server, TURN over UDP first, then over TLS", () => {
  expect(renderTurnStunServers({ form: "override", ...args })).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans-2.5.xsd">
  <bean id="turn0" class="org.bigbluebutton.web.services.turn.TurnServer">
    <constructor-arg index="0" value="0123456789abcdef"/>
    <constructor-arg index="1" value="turn:turn.example.org:3478"/>
    <constructor-arg index="2" value="86400"/>
  </bean>
  <bean id="turn1" class="org.bigbluebutton.web.services.turn.TurnServer">
    <constructor-arg index="0" value="0123456789abcdef"/>
    <constructor-arg index="1" value="turns:turn.example.org:443?transport=tcp"/>
    <constructor-arg index="2" value="86400"/>
  </bean>
  <bean id="stunTurnService" class="org.bigbluebutton.web.services.turn.StunTurnService">
    <property name="stunServers">
      <set/>
    </property>
    <property name="turnServers">
      <set>
        <ref bean="turn0"/>
        <ref bean="turn1"/>
      </set>
    </property>
  </bean>
</beans>
`,
  );
});

test("the form up to 2.5: a STUN server, TURN on 443 with and without TLS", () => {
  expect(renderTurnStunServers({ form: "legacy", ...args })).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans-2.5.xsd">
  <bean id="stun0" class="org.bigbluebutton.web.services.turn.StunServer">
    <constructor-arg index="0" value="stun:turn.example.org"/>
  </bean>
  <bean id="turn0" class="org.bigbluebutton.web.services.turn.TurnServer">
    <constructor-arg index="0" value="0123456789abcdef"/>
    <constructor-arg index="1" value="turns:turn.example.org:443?transport=tcp"/>
    <constructor-arg index="2" value="86400"/>
  </bean>
  <bean id="turn1" class="org.bigbluebutton.web.services.turn.TurnServer">
    <constructor-arg index="0" value="0123456789abcdef"/>
    <constructor-arg index="1" value="turn:turn.example.org:443?transport=tcp"/>
    <constructor-arg index="2" value="86400"/>
  </bean>
  <bean id="stunTurnService" class="org.bigbluebutton.web.services.turn.StunTurnService">
    <property name="stunServers">
      <set>
        <ref bean="stun0"/>
      </set>
    </property>
    <property name="turnServers">
      <set>
        <ref bean="turn0"/>
        <ref bean="turn1"/>
      </set>
    </property>
  </bean>
</beans>
`,
  );
});

test("a secret with XML's own characters comes out as it went in", () => {
  const secret = `a<b>&"c'`;
  const xml = renderTurnStunServers({ form: "override", host: "turn.example.org", secret });
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" });
  const { beans } = parser.parse(xml) as {
    beans: { bean: { "constructor-arg": { value: string }[] }[] };
  };
  expect(beans.bean[0]!["constructor-arg"][0]!.value).toBe(secret);
});

test.each(Object.values(releases))("$name hands out what its file says", ({ turnXml: { form } }) => {
  const xml = renderTurnStunServers({ form, ...args });
  const { stun, turn } = turnUrls(form, args.host);
  const values = [...xml.matchAll(/value="(stun|turns?):(.*?)"/g)].map(
    ([, scheme, rest]) => `${scheme}:${rest}`,
  );
  expect(values).toEqual([...stun, ...turn]);
  expect(turn).toContain("turns:turn.example.org:443?transport=tcp");
});
