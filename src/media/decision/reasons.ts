// Why a film does not reach the client as it is in the file. The list is closed; codes are the same words that other
// media servers use where they have one.

const SENTENCES = {
  ContainerNotSupported: "The player cannot open this kind of file, so its tracks are sent as HLS.",
  VideoCodecNotSupported: "The player cannot decode this video codec.",
  VideoProfileNotSupported: "The player cannot decode this profile of the video codec.",
  VideoLevelNotSupported: "The player cannot decode a picture of this size and rate in this codec.",
  VideoBitDepthNotSupported: "The player cannot decode so many bits per colour.",
  VideoRangeTypeNotSupported: "The player cannot show this kind of HDR, so it is turned into SDR.",
  VideoResolutionNotSupported: "The picture is larger than the player takes.",
  InterlacedVideoNotSupported: "The picture is interlaced, which browsers show as combs.",
  AudioCodecNotSupported: "The player cannot decode this audio codec, so it is turned into AAC.",
  AudioProfileNotSupported: "This kind of AAC does not play everywhere, so it is turned into plain AAC.",
  AudioChannelsNotSupported: "Surround sound is mixed to stereo.",
  AudioSampleRateNotSupported: "The sample rate of the sound is not one that every player takes.",
  SecondaryAudioNotSupported: "A browser cannot change the audio track of a plain file.",
  SubtitleCodecNotSupported: "Subtitles made of pictures cannot be shown in a browser.",
  NoIndex: "The file has no list of its key frames, so its video is encoded anew to allow seeking.",
  KeyframesTooFarApart: "The key frames of the file lie too far apart to seek in it as it is.",
  DurationUnknown: "The file does not tell how long it is, so no timeline can be offered.",
  QualityRequested: "A smaller picture was asked for.",
  EncodingTooSlow: "This machine cannot encode the picture at that size as fast as it plays.",
  EncodingNotAvailable: "There is no working video encoder on this machine.",
  ToneMappingNotAvailable:
    "FFmpeg lacks the filters that turn HDR into SDR well, so colours are only roughly right.",
  DynamicRangeNotConvertible:
    "Only a player of Dolby Vision that reads the file itself shows this film in its colours.",
  ContentNotReadable: "FFmpeg finds neither picture nor sound in the file, so it is sent as it is.",
  FFmpegNotAvailable: "FFmpeg does not run on this server, so the file is sent as it is.",
  HlsNotSupported: "The player plays neither HLS nor this file.",
} as const;

export type ReasonCode = keyof typeof SENTENCES;
export const REASON_CODES = Object.keys(SENTENCES) as readonly ReasonCode[];

export interface Reason {
  readonly code: ReasonCode;
  /** English, for people. */
  readonly message: string;
  /** v0, a1, s2; null for the file as a whole. */
  readonly track: string | null;
}

export function reason(code: ReasonCode, track: string | null = null): Reason {
  return { code, message: SENTENCES[code], track };
}
