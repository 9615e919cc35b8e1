// What a file is, by its extension: a fixed table. Types that a browser would run (HTML, SVG, XML, scripts) are not
// in it and never will be: whatever is unknown is application/octet-stream.

type MediaKind = "video" | "audio" | "subtitle" | "image";

const TYPES: readonly (readonly [MediaKind, Readonly<Record<string, string>>])[] = [
  [
    "video",
    {
      "3g2": "video/3gpp2",
      "3gp": "video/3gpp",
      asf: "video/x-ms-asf",
      avi: "video/x-msvideo",
      divx: "video/x-msvideo",
      f4v: "video/mp4",
      flv: "video/x-flv",
      m1v: "video/mpeg",
      m2ts: "video/mp2t",
      m2v: "video/mpeg",
      m4v: "video/mp4",
      mk3d: "video/x-matroska",
      mkv: "video/x-matroska",
      mov: "video/quicktime",
      mp4: "video/mp4",
      mpe: "video/mpeg",
      mpeg: "video/mpeg",
      mpg: "video/mpeg",
      mts: "video/mp2t",
      mxf: "application/mxf",
      ogm: "video/ogg",
      ogv: "video/ogg",
      qt: "video/quicktime",
      rm: "application/vnd.rn-realmedia",
      rmvb: "application/vnd.rn-realmedia-vbr",
      tp: "video/mp2t",
      trp: "video/mp2t",
      ts: "video/mp2t",
      vob: "video/mpeg",
      webm: "video/webm",
      wmv: "video/x-ms-wmv",
      y4m: "video/x-yuv4mpeg",
    },
  ],
  [
    "audio",
    {
      aac: "audio/aac",
      ac3: "audio/ac3",
      aif: "audio/aiff",
      aiff: "audio/aiff",
      amr: "audio/amr",
      ape: "audio/x-ape",
      dts: "audio/vnd.dts",
      eac3: "audio/eac3",
      flac: "audio/flac",
      m4a: "audio/mp4",
      m4b: "audio/mp4",
      mka: "audio/x-matroska",
      mp2: "audio/mpeg",
      mp3: "audio/mpeg",
      oga: "audio/ogg",
      ogg: "audio/ogg",
      opus: "audio/ogg",
      tta: "audio/x-tta",
      wav: "audio/wav",
      weba: "audio/webm",
      wma: "audio/x-ms-wma",
      wv: "audio/x-wavpack",
    },
  ],
  [
    "subtitle",
    {
      ass: "text/x-ssa",
      srt: "application/x-subrip",
      ssa: "text/x-ssa",
      vtt: "text/vtt",
    },
  ],
  [
    "image",
    {
      avif: "image/avif",
      bmp: "image/bmp",
      gif: "image/gif",
      jpeg: "image/jpeg",
      jpg: "image/jpeg",
      png: "image/png",
      webp: "image/webp",
    },
  ],
];

const BY_EXTENSION: ReadonlyMap<string, { readonly kind: MediaKind; readonly contentType: string }> = new Map(
  TYPES.flatMap(([kind, types]) =>
    Object.entries(types).map(([extension, contentType]) => [extension, { kind, contentType }] as const),
  ),
);

function entryOf(path: string): { readonly kind: MediaKind; readonly contentType: string } | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : BY_EXTENSION.get(name.slice(dot + 1).toLowerCase());
}

export function isVideo(path: string): boolean {
  return entryOf(path)?.kind === "video";
}

export function isAudio(path: string): boolean {
  return entryOf(path)?.kind === "audio";
}

export function isSubtitle(path: string): boolean {
  return entryOf(path)?.kind === "subtitle";
}

/** Something that a player opens on its own. */
export function isPlayable(path: string): boolean {
  return isVideo(path) || isAudio(path);
}

/** The media type for the Content-Type header. */
export function contentTypeOf(path: string): string {
  return entryOf(path)?.contentType ?? "application/octet-stream";
}
