export { type AccessOptions, createAccess, type GeneratedPassword, type OpenedAccess } from "./access.ts";
export { createCredentialFile } from "./credential-file.ts";
export { type AuthConfig, IGNORED_PASSWORD, replaceCredentials } from "./credentials.ts";
export { createPasswordHasher, type PasswordHasher } from "./password.ts";
export type {
  AccessService,
  CredentialStore,
  CredentialsChange,
  LinkToken,
  LoopbackGrant,
  Principal,
  RequestContext,
  StoredCredentials,
  TokenFault,
  UserSession,
} from "./ports.ts";
export { linkViewer } from "./token.ts";
