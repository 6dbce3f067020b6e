/** The least program that there is. */
require("@pulumi/pulumi");
