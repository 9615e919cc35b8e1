import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

// Television sets of 2020 are the oldest browsers that the page is for (Chromium 68).
const TARGETS = ["chrome68", "safari14", "firefox78"];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: TARGETS,
    cssTarget: TARGETS,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
