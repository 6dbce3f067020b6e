import { environmentOf, type GreenlightMail } from "../../bigbluebutton/greenlight";

const FQDN = "bbb.school.eu";
const variables = (wishes: Parameters<typeof environmentOf>[1]) =>
  Object.fromEntries(environmentOf(FQDN, wishes).map(({ key, value }) => [key, value]));
const mail: GreenlightMail = { server: "mail.school.eu", port: 587, sender: "bbb@school.eu" };

test("without a wish, only the health check's question to a mail server is switched off", () => {
  expect(environmentOf(FQDN, {})).toEqual([
    { key: "SMTP_HEALTH_CHECK_DISABLED", value: "true", setting: "greenlight" },
  ]);
});

test("a mail server with an account", () => {
  expect(variables({ smtp: { ...mail, user: "u", password: "p", senderName: "School" } })).toEqual({
    SMTP_HEALTH_CHECK_DISABLED: "true",
    SMTP_SERVER: "mail.school.eu",
    SMTP_PORT: "587",
    SMTP_DOMAIN: FQDN,
    SMTP_USERNAME: "u",
    SMTP_PASSWORD: "p",
    SMTP_AUTH: "plain",
    SMTP_STARTTLS_AUTO: "true",
    SMTP_STARTTLS: "true",
    SMTP_TLS: "false",
    SMTP_SENDER_EMAIL: "bbb@school.eu",
    SMTP_SENDER_NAME: "School",
  });
});

test.each([
  [{}, { auto: "true", tls: "false" }],
  [{ port: 465 }, { auto: "false", tls: "true" }],
  [
    { port: 465, security: "starttls" as const },
    { auto: "true", tls: "false" },
  ],
  [{ security: "none" as const }, { auto: "false", tls: "false" }],
])("the connection to it is secured as asked, else by its port: %j", (wish, { auto, tls }) => {
  const made = variables({ smtp: { ...mail, ...wish } });
  expect(made).toMatchObject({ SMTP_STARTTLS_AUTO: auto, SMTP_STARTTLS: auto, SMTP_TLS: tls });
  expect(made).not.toHaveProperty("SMTP_AUTH");
  expect(made).not.toHaveProperty("SMTP_USERNAME");
});

test("a provider of OpenID Connect, which leads back to this server", () => {
  const provider = { issuer: "https://id.school.eu", clientId: "c", clientSecret: "s", matchByEmail: false };
  expect(variables({ openidConnect: provider })).toEqual({
    SMTP_HEALTH_CHECK_DISABLED: "true",
    OPENID_CONNECT_CLIENT_ID: "c",
    OPENID_CONNECT_CLIENT_SECRET: "s",
    OPENID_CONNECT_ISSUER: "https://id.school.eu",
    OPENID_CONNECT_REDIRECT: "https://bbb.school.eu/",
    OPENID_CONNECT_UID_FIELD: "sub",
  });
  expect(variables({ openidConnect: { ...provider, matchByEmail: true, uidField: "email" } })).toMatchObject({
    OPENID_CONNECT_UID_FIELD: "email",
    USE_EMAIL_AS_EXTERNAL_ID_FALLBACK: "true",
  });
});
