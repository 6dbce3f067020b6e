import { parkTests } from "../support/park";
import { AT_AWS } from "../support/places";

parkTests(AT_AWS, { deleted: false });
