// What Solid needs and Chromium 68 (TVs of 2020) lacks; a file of its own because the page's policy forbids inline scripts.
if (typeof globalThis === "undefined") window.globalThis = window;
if (typeof queueMicrotask === "undefined") {
  window.queueMicrotask = (task) => {
    void Promise.resolve().then(task);
  };
}
