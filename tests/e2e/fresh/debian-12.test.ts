import { freshTests } from "../support/freshTests";

freshTests({ distribution: "debian", codename: "bookworm" });
