// A page of somebody else's shop: another site, a strict policy, nothing inline.

import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".m3u8": "application/vnd.apple.mpegurl",
  ".m4s": "video/mp4",
  ".mp4": "video/mp4",
};
/** The box has its size before the script is there, as docs/embed.md says. */
const STYLE = `body { margin: 0 } main { max-width: 30rem; margin: 2rem auto } footer { height: 300vh }
lookreel-video { display: block; aspect-ratio: 3 / 4; border-radius: 14px }`;

export class ForeignShop {
  /** Its address: `localhost`, where Lookreel is `127.0.0.1`. */
  readonly url: string;

  private constructor(
    private readonly server: Server,
    port: number,
  ) {
    this.url = `http://localhost:${port}/`;
  }

  /** Serves one page with this inside, and the files of a folder. */
  static async open(lookreel: string, inside: string, folder = ""): Promise<ForeignShop> {
    const policy = [
      "default-src 'none'",
      "style-src 'self'",
      `script-src ${lookreel}`,
      `connect-src 'self' ${lookreel}`,
      `img-src ${lookreel} data:`,
      `media-src ${lookreel} blob:`,
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ].join("; ");
    const page = `<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>Shop</title>
      <link rel="stylesheet" href="/shop.css"><link rel="icon" href="data:,"><script src="${lookreel}/embed.js" async></script></head>
      <body><main><h1>Shop</h1>${inside}<p>Beside it</p></main><footer></footer></body></html>`;
    const server = createServer(async (request, response) => {
      const path = new URL(request.url ?? "/", "http://localhost").pathname;
      if (path === "/") {
        response.setHeader("content-type", "text/html; charset=utf-8").setHeader("content-security-policy", policy).end(page);
      } else if (path === "/shop.css") {
        response.setHeader("content-type", "text/css").end(STYLE);
      } else {
        const file = folder && (await readFile(join(folder, normalize(path))).catch(() => undefined));
        if (file) response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(file);
        else response.writeHead(404).end();
      }
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    return new ForeignShop(server, (server.address() as AddressInfo).port);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
