// The server itself: settings, credentials, status, live events, health.

import { Elysia } from "elysia";
import { settingsDto, settingsOf, statusDto } from "../dto/status.ts";
import { answers } from "../openapi/answers.ts";
import { credentialsBody, settingsPatch } from "../schemas.ts";
import type { RouteServices } from "../services.ts";

export function settingsRoutes({ settings, access, hub }: RouteServices) {
  return new Elysia({ normalize: false, detail: { tags: ["settings"] } })
    .get("/api/settings", () => settingsDto(settings.get()), {
      detail: { summary: "All settings", ...answers({ 200: "Settings" }) },
    })
    .put("/api/settings", async ({ body }) => settingsDto(await settings.update(settingsOf(body))), {
      body: settingsPatch,
      detail: {
        summary: "Change the settings that are named",
        ...answers({ 200: "Settings" }, ["validation"]),
      },
    })
    .put(
      "/api/settings/credentials",
      async ({ body, set }) => {
        const { current_password: currentPassword, ...change } = body;
        await access.changeCredentials({ currentPassword, ...change });
        // Who listens by the old login has to come back with the new one.
        hub.close();
        set.status = 204;
      },
      {
        body: credentialsBody,
        detail: {
          summary: "Change username or password",
          ...answers({ 204: "nothing" }, ["validation", "rate_limited"]),
        },
      },
    )
    .post(
      "/api/settings/revoke-links",
      async ({ set }) => {
        await access.revokeAll();
        set.status = 204;
      },
      { detail: { summary: "End every link given out so far", ...answers({ 204: "nothing" }) } },
    );
}

export function serverRoutes({ status, access, hub, version }: RouteServices) {
  return new Elysia({ normalize: false, detail: { tags: ["server"] } })
    .get(
      "/api/status",
      async () => {
        const view = await status.status();
        const known = new Set(view.warnings.map((warning) => warning.code));
        const more = access.warnings().filter((warning) => !known.has(warning.code));
        return statusDto({ ...view, warnings: [...view.warnings, ...more] });
      },
      { detail: { summary: "Load, space, warnings, running streams", ...answers({ 200: "Status" }) } },
    )
    .get(
      "/api/events",
      () =>
        new Response(hub.subscribe(), {
          headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
        }),
      {
        detail: {
          summary: "Server-Sent Events: snapshot, then patches; ping every 8 s",
          ...answers({ 200: "text" }, ["busy"]),
        },
      },
    )
    .get("/api/health", () => ({ status: "ok", version }), {
      detail: { summary: "For health checks; open", security: [], ...answers({ 200: "Health" }) },
    });
}
