import { imageTests } from "../support/images";
import { AT_AWS } from "../support/places";

imageTests(AT_AWS);
