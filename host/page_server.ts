/** Serves a page to this machine only: its files, and what its owner answers besides. */
import { UserError } from "../core/errors.ts";

export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export interface Page {
  /** By their path. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** What is no file; undefined where there is nothing. */
  readonly answer?: (path: string) => Promise<Response | undefined> | Response | undefined;
  /** Headers of all responses, in the place of the usual ones or beside them. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PageServer {
  readonly url: string;
  /** Lets what is under way end, and stops. */
  shutdown(): Promise<void>;
}

const HOSTNAME = "127.0.0.1";

/** A page's scripts, styles, pictures and answers come from its own server, and nothing from anywhere else. */
export const OWN_FILES_ONLY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  "content-security-policy": OWN_FILES_ONLY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** Serves at `port`, 0 for a free one. Throws `UserError` where it is taken; `flag` is what names the port. */
export function servePage(port: number, flag: string, { files, answer, headers }: Page): PageServer {
  async function respond(request: Request): Promise<Response> {
    // A name of another site that leads here must not read what only this machine may see (DNS rebinding).
    const host = request.headers.get("host")?.replace(/:\d+$/, "");
    if (host !== HOSTNAME && host !== "localhost") return refusal(403, "Only for this machine.");
    if (request.method !== "GET") return refusal(405, "Only GET.", { allow: "GET" });
    const { pathname } = new URL(request.url);
    const file = files.get(pathname);
    if (file) return new Response(file.body, { headers: { "content-type": typeOf(file) } });
    try {
      return await answer?.(pathname) ?? refusal(404, "There is no such page.");
    } catch (error) {
      // Such as a picture whose file is gone: whoever asks is told, and may ask again.
      return refusal(503, error instanceof Error ? error.message : String(error));
    }
  }

  const server = listen(port, flag, async (request) => {
    const response = await respond(request);
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) response.headers.set(name, value);
    return response;
  });
  return { url: `http://${HOSTNAME}:${server.addr.port}/`, shutdown: () => server.shutdown() };
}

export function refusal(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...headers, "content-type": "text/plain; charset=utf-8" },
  });
}

function typeOf({ type, body }: PageFile): string {
  return typeof body === "string" ? `${type}; charset=utf-8` : type;
}

function listen(
  port: number,
  flag: string,
  respond: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: HOSTNAME, port, onListen: () => {} }, respond);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UserError(
        `${flag} ${port}: the port is taken; name another, or none and a free one is found`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`${flag} ${port}: the system allows no server at this port; name one above 1023`);
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(`${flag} needs the right to serve a page: deno run --allow-net=${HOSTNAME}`);
    }
    throw error;
  }
}
