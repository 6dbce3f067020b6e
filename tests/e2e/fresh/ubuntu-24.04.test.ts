import { freshTests } from "../support/freshTests";

freshTests({ distribution: "ubuntu", codename: "noble" });
