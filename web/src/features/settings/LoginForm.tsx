import { createSignal } from "solid-js";
import { api, errorText, type LoginChange } from "../../api/client.ts";
import { createOutcome, OutcomeText } from "./Outcome.tsx";
import styles from "./Settings.module.css";

const DONE = "Changed. The browser asks for the new login from now on.";

/** The API names its fields; people know them by the words beside them. */
async function send(changes: LoginChange): Promise<void> {
  try {
    await api.changeLogin(changes);
  } catch (reason) {
    throw new Error(errorText(reason).replace(/^Current_password\b/, "The current password"));
  }
}

/** Changes username, password or both; what is left empty stays. */
export function LoginForm() {
  const outcome = createOutcome();
  const [current, setCurrent] = createSignal("");
  const [username, setUsername] = createSignal("");
  const [password, setPassword] = createSignal("");
  const change = async () => {
    const changes = {
      current_password: current(),
      ...(username() !== "" && { username: username() }),
      ...(password() !== "" && { password: password() }),
    };
    if (!(await outcome.run(() => send(changes), DONE))) return;
    for (const clear of [setCurrent, setUsername, setPassword]) clear("");
  };
  const hasChange = () => username() !== "" || password() !== "";

  return (
    <form
      class={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      <h2 class={styles.heading}>Login</h2>
      <label class={styles.field}>
        <span>Current password</span>
        <input
          type="password"
          autocomplete="current-password"
          required
          value={current()}
          onInput={(event) => setCurrent(event.currentTarget.value)}
        />
      </label>
      <label class={styles.field}>
        <span>New username (empty = as it is)</span>
        <input
          type="text"
          autocomplete="username"
          maxLength={64}
          value={username()}
          onInput={(event) => setUsername(event.currentTarget.value)}
        />
      </label>
      <label class={styles.field}>
        <span>New password (empty = as it is)</span>
        <input
          type="password"
          autocomplete="new-password"
          maxLength={256}
          value={password()}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={outcome.isBusy() || !hasChange()}>
        Change login
      </button>
      <OutcomeText of={outcome} />
    </form>
  );
}
