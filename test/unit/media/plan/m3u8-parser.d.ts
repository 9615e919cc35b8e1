declare module "m3u8-parser" {
  export interface ParsedSegment {
    readonly duration: number;
    readonly uri: string;
    readonly map?: { readonly uri: string };
  }
  export interface ParsedManifest {
    readonly endList?: boolean;
    readonly playlistType?: string;
    readonly targetDuration?: number;
    readonly segments: readonly ParsedSegment[];
    readonly playlists?: readonly { readonly uri: string; readonly attributes: Record<string, unknown> }[];
    readonly mediaGroups?: Record<"AUDIO" | "SUBTITLES", Record<string, Record<string, unknown>>>;
  }
  export class Parser {
    readonly manifest: ParsedManifest;
    on(event: "warn" | "error", listener: (event: { readonly message: string }) => void): void;
    push(text: string): void;
    end(): void;
  }
}
