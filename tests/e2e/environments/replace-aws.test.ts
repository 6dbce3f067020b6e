import { AT_AWS } from "../support/places";
import { replaceTests } from "../support/replace";

replaceTests(AT_AWS);
