// Bodies are JSON or, where a file is uploaded, a form. Anything else is refused by its type, so that no form of
// another site can pass for either.

import { TorrxError } from "../base/errors.ts";

export async function parseBody({ request }: { request: Request }): Promise<unknown> {
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return parseJson(await request.text());
  if (type === "multipart/form-data") return formFields(await readForm(request));
  if (request.body === null) return undefined;
  throw new TorrxError("unsupported_media", "the body must be application/json or multipart/form-data");
}

/** Clients send the type also with commands that have no body. */
function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TorrxError("bad_request", "the body is no valid JSON", { cause: error });
  }
}

type Form = Awaited<ReturnType<Request["formData"]>>;

async function readForm(request: Request): Promise<Form> {
  try {
    return await request.formData();
  } catch (error) {
    throw new TorrxError("bad_request", "the form cannot be read", { cause: error });
  }
}

function formFields(form: Form): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of form.entries()) {
    if (name in fields) throw new TorrxError("validation", "a field of the form is there twice");
    fields[name] = value;
  }
  return { ...fields };
}
