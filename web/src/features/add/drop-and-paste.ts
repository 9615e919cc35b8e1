// The whole page takes drops and pastes. Fields keep their own: pasted text there is theirs, and what the browser
// would do is stopped only where something can be added.

import { createSignal, onCleanup } from "solid-js";
import { linesOf } from "../../lib/input.ts";

export interface Catcher {
  onFiles(files: readonly File[]): void;
  onText(text: string): void;
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

/** Listens as long as its owner lives; returns whether something is being dragged over the page. */
export function catchDropAndPaste(catcher: Catcher): () => boolean {
  const [isDragging, setDragging] = createSignal(false);
  const take = (data: DataTransfer | null): boolean => {
    const files = Array.from(data?.files ?? []);
    const text = data?.getData("text/plain") ?? "";
    if (files.length > 0) catcher.onFiles(files);
    else if (linesOf(text).some((line) => line.addable !== null)) catcher.onText(text);
    else return false;
    return true;
  };
  const onPaste = (event: ClipboardEvent) => {
    if (!isField(event.target) && take(event.clipboardData)) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    setDragging(false);
    const hasFiles = (event.dataTransfer?.files.length ?? 0) > 0;
    if (isField(event.target) && !hasFiles) return;
    // Never left to the browser: it would open the file in place of the page.
    event.preventDefault();
    take(event.dataTransfer);
  };
  const onDragOver = (event: DragEvent) => {
    if (isField(event.target) && !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    setDragging(true);
  };
  const onDragLeave = (event: DragEvent) => {
    if (event.relatedTarget === null) setDragging(false);
  };

  window.addEventListener("paste", onPaste);
  window.addEventListener("drop", onDrop);
  window.addEventListener("dragover", onDragOver);
  window.addEventListener("dragleave", onDragLeave);
  onCleanup(() => {
    window.removeEventListener("paste", onPaste);
    window.removeEventListener("drop", onDrop);
    window.removeEventListener("dragover", onDragOver);
    window.removeEventListener("dragleave", onDragLeave);
  });
  return isDragging;
}
