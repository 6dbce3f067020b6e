import { canonicalAddress, publicAddressProblem } from "../../../settings/formats/addresses";

test.each(["5.75.128.7", "203.0.113.10", "2a01:4f8:c17:1::1", "2001:db8:1::1"])("%s is public", (address) => {
  expect(publicAddressProblem(address)).toBeUndefined();
});

test.each([
  ...["", "bbb.example.org", "203.0.113.10/32", "203.0.113", "fe80::1%eth0", "0x7f.1"].map((text) => [
    text,
    "is not an IPv4 or IPv6 address",
  ]),
  ["127.0.0.1", "loopback"],
  ["10.0.0.1", "private"],
  ["172.31.1.1", "private"],
  ["192.168.1.1", "private"],
  ["169.254.169.254", "linkLocal"],
  ["100.64.0.1", "carrierGradeNat"],
  ["0.0.0.0", "unspecified"],
  ["224.0.0.1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["240.0.0.1", "reserved"],
  ["::1", "loopback"],
  ["fe80::1", "linkLocal"],
  ["fd00::1", "uniqueLocal"],
  ["ff02::1", "multicast"],
  ["::ffff:203.0.113.10", "ipv4Mapped"],
  ["64:ff9b::cb00:710a", "rfc6052"],
  ["2002:cb00:710a::1", "6to4"],
  ["2001:0:cb00:710a::1", "teredo"],
])("%s is not: %s", (address, why) => {
  expect(publicAddressProblem(address)).toContain(why);
});

test("two ways to write an address are one", () => {
  expect(canonicalAddress("2001:DB8:0:0::1")).toBe(canonicalAddress("2001:db8::1"));
});
