// Players that open containers themselves, by their User-Agent. For them the bytes of the file are better than any HLS:
// nothing is converted and they know their own codecs. What is not listed here is treated as a browser.

/** Product tokens of User-Agents; a trailing / is part of the token, so that no word of a sentence matches. */
const CONTAINER_PLAYERS: readonly RegExp[] = [
  token("VLC"),
  token("LibVLC"),
  token("Kodi"),
  token("XBMC"),
  /^mpv\b/i,
  /^libmpv\b/i,
  token("IINA"),
  token("Lavf"),
  token("MPlayer"),
  token("ExoPlayer"),
  token("ExoPlayerLib"),
  token("AndroidXMedia3"),
  token("stagefright"),
  token("MXPlayer"),
  token("MX Player"),
  token("MX-Player"),
  token("Just Player"),
  token("VimuPlayer"),
  token("Vimu"),
  token("nPlayer"),
  token("Infuse"),
  token("Infuse-Direct"),
  token("Infuse-Library"),
  token("SenPlayer"),
  token("VidHub"),
  token("PlayerXtreme"),
  token("OPlayer"),
  /\bGStreamer\b/i,
  token("xine"),
  token("BubbleUPnP"),
  /\bUPnP\/\d/i,
  /\bDLNADOC\/\d/i,
  /^SEC_HHP_/i,
  token("LGE_DLNA_SDK"),
  token("NSPlayer"),
  token("Windows-Media-Player"),
  token("WMPlayer"),
  token("MPC-HC"),
  token("MPC-BE"),
  token("PotPlayer"),
  token("foobar2000"),
  token("Winamp"),
  // Android's own HTTP client, which players use that set no name of their own.
  /^Dalvik\/\d/i,
  /^okhttp\/\d/i,
];
const USER_AGENT_CHARS_MAX = 1_024;

export function readsContainers(userAgent: string | null): boolean {
  const name = (userAgent ?? "").slice(0, USER_AGENT_CHARS_MAX);
  return CONTAINER_PLAYERS.some((player) => player.test(name));
}

function token(name: string): RegExp {
  return new RegExp(`(?:^|[\\s(;,])${name}/`, "i");
}
