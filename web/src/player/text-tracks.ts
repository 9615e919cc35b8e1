// Subtitles on a video element: a text track for each of them, by the server's numbers. They can be chosen in the
// browser's own controls as well, and that is told.

export interface OfferedText {
  readonly index: number;
  readonly label: string;
  /** BCP 47, or "". */
  readonly language: string;
}

const EMPTY = new Blob(["WEBVTT"], { type: "text/vtt" });

export class TextTracks {
  readonly #video: HTMLVideoElement;
  readonly #onChosen: (index: number | null) => void;
  readonly #elements = new Map<number, HTMLTrackElement>();
  #shown: number | null = null;
  /** Chromium hides what is shown of a track without a source. */
  readonly #emptyUrl = URL.createObjectURL(EMPTY);

  constructor(video: HTMLVideoElement, onChosen: (index: number | null) => void) {
    this.#video = video;
    this.#onChosen = onChosen;
    video.textTracks.addEventListener("change", this.#tell);
  }

  get indexes(): number[] {
    return [...this.#elements.keys()];
  }

  /** Without `url` its lines come by addCues. */
  offer({ index, label, language }: OfferedText, url: string | null = null): HTMLTrackElement {
    const element = document.createElement("track");
    element.kind = "subtitles";
    element.label = label;
    element.srclang = language;
    element.src = url ?? this.#emptyUrl;
    this.#elements.set(index, element);
    this.#video.append(element);
    return element;
  }

  show(index: number | null): void {
    this.#shown = index;
    for (const [own, { track }] of this.#elements) track.mode = own === index ? "showing" : "disabled";
  }

  /** A line that reaches into several segments comes with each of them. */
  addCues(index: number, cues: readonly VTTCue[]): void {
    const track = this.#elements.get(index)?.track;
    for (const cue of cues) if (!track?.cues?.getCueById(cue.id)) track?.addCue(cue);
  }

  clear(): void {
    for (const element of this.#elements.values()) element.remove();
    this.#elements.clear();
  }

  close(): void {
    this.clear();
    this.#video.textTracks.removeEventListener("change", this.#tell);
    URL.revokeObjectURL(this.#emptyUrl);
  }

  readonly #tell = () => {
    const showing = [...this.#elements].filter(([, { track }]) => track.mode === "showing");
    // Chromium shows some track beside the one that was shown before when a film is loaded anew; a viewer changes it.
    const isOfItself = showing.length > 1 || this.#video.readyState === HTMLMediaElement.HAVE_NOTHING;
    const shown = showing[0]?.[0] ?? null;
    if (isOfItself) this.show(this.#shown);
    else if (shown !== this.#shown) this.#onChosen(shown);
  };
}
