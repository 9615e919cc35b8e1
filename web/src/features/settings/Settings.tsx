import { createSignal, onMount, Show } from "solid-js";
import { api, errorText } from "../../api/client.ts";
import { LimitsForm } from "./LimitsForm.tsx";
import { LoginForm } from "./LoginForm.tsx";
import { createOutcome, OutcomeText } from "./Outcome.tsx";
import styles from "./Settings.module.css";

/** The server's settings, the login and the links; each part is sent and answered on its own. */
export function Settings() {
  const [settings, setSettings] = createSignal<Awaited<ReturnType<typeof api.settings>> | null>(null);
  const [error, setError] = createSignal<string | null>(null);
  const links = createOutcome();
  onMount(() =>
    api.settings().then(setSettings, (reason: unknown) => {
      setError(errorText(reason));
    }),
  );

  return (
    <section id="settings" class={styles.panel} aria-label="Settings">
      <Show when={error()}>
        {(text) => (
          <p class={styles.error} role="alert">
            {text()}
          </p>
        )}
      </Show>
      <Show when={settings()} keyed>
        {(current) => <LimitsForm settings={current} />}
      </Show>
      <LoginForm />
      <div class={styles.form}>
        <h2 class={styles.heading}>Links</h2>
        <p class={styles.note}>
          Stream and playlist links work without a login. Revoking ends every link given out so far, also in
          players that run.
        </p>
        <button
          type="button"
          disabled={links.isBusy()}
          onClick={() => void links.run(() => api.revokeLinks(), "Every link given out so far has ended.")}
        >
          Revoke all links
        </button>
        <OutcomeText of={links} />
      </div>
    </section>
  );
}
