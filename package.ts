/** Exports for other programs: see docs/program.md. */
export {
  BigBlueButton,
  type BigBlueButtonArgs,
  type DeploymentAddresses,
  type HostAddresses,
} from "./components/bigBlueButton";
export type { SettingArguments } from "./components/settingArguments";
export { SharedTurnServer, type SharedTurnServerArgs } from "./components/sharedTurnServer";
export type { TurnOutputs } from "./components/turnShare";
