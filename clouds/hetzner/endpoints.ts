/**
 * Endpoints of Hetzner's APIs: that of Hetzner Cloud, and that of the Storage Boxes.
 *
 * @see https://docs.hetzner.cloud
 */
export const endpoints = {
  cloud: "https://api.hetzner.cloud/v1",
  boxes: "https://api.hetzner.com/v1",
} as const;
