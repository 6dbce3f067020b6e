import { apiChecksum, signedApiUrl } from "../../bigbluebutton/api";

// The vectors of BigBlueButton's API documentation.
const secret = "639259d4-9dd8-4b25-bf01-95f9567eaf4b";

test("checksums as the API documentation computes them", () => {
  const query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444";
  expect(apiChecksum("create", query, secret, "sha1")).toBe("1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17");
  expect(apiChecksum("getMeetings", "", secret, "sha1")).toBe("2027baa7771026e9e93392f55031535d1444c41f");
  expect(apiChecksum("getMeetings", "", secret)).toBe(
    "a5370c5f3d97d56d53b435684cdbc429c2898a3bf9f435518b4279e1e0dbfc8c",
  );
});

test("a signed call carries its checksum last, over the query as it is sent", () => {
  const api = "https://bbb.example.org/bigbluebutton/api";
  expect(signedApiUrl(api, "getMeetings", {}, secret)).toBe(
    `${api}/getMeetings?checksum=a5370c5f3d97d56d53b435684cdbc429c2898a3bf9f435518b4279e1e0dbfc8c`,
  );
  const query = "name=Test+Meeting&meetingID=abc123";
  expect(signedApiUrl(api, "create", { name: "Test Meeting", meetingID: "abc123" }, secret)).toBe(
    `${api}/create?${query}&checksum=${apiChecksum("create", query, secret)}`,
  );
});
