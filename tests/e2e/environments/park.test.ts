import { parkTests } from "../support/park";
import { AT_HETZNER } from "../support/places";

parkTests(AT_HETZNER, { deleted: true });
