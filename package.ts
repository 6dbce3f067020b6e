/** Exports for other programs: see docs/program.md. */
export type { CertificateOutput } from "./bigbluebutton/verification";
export type { HostAddresses } from "./components/hostOutputs";
export {
  BigBlueButton,
  type BigBlueButtonArgs,
  type DeploymentAddresses,
  type DeploymentCheck,
  type HostCheck,
} from "./components/bigBlueButton";
export type {
  AlertEmail,
  AlertsArgument,
  AlertWebhook,
  BackupArgument,
  BackupKeep,
  DialInArgument,
  DialInGateway,
  OverridesArgument,
} from "./components/argumentTypes";
export type {
  BrandingOptions,
  MeetingsOptions,
  PrivacyOptions,
  RecordingsOptions,
  SettingArguments,
} from "./components/settingArguments";
export { SharedTurnServer, type SharedTurnServerArgs } from "./components/sharedTurnServer";
export type { TurnOutputs } from "./components/turnShare";
