import styles from "./Icon.module.css";

/** Outlines on a 24 × 24 grid; as shapes they look the same everywhere, which characters do not. */
const SHAPES = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  back: "M15.5 5 8.5 12l7 7-1.8 1.8L4.9 12l8.8-8.8z",
} as const;

export function Icon(props: { name: keyof typeof SHAPES }) {
  return (
    <svg class={styles.icon} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[props.name]} />
    </svg>
  );
}
