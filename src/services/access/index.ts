export { type AccessOptions, createAccess } from "./access.ts";
export { createCredentialFile } from "./credential-file.ts";
export { type AuthConfig, replaceCredentials } from "./credentials.ts";
export { createPasswordHasher, type PasswordHasher } from "./password.ts";
export type {
  AccessService,
  CredentialStore,
  CredentialsChange,
  LinkToken,
  Principal,
  RequestContext,
  StoredCredentials,
  TokenFault,
  UserSession,
} from "./ports.ts";
