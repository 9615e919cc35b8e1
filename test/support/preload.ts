// Runs once before the tests of every file: a rejection that nobody handles fails the run instead of being printed.

process.on("unhandledRejection", (reason) => {
  throw reason instanceof Error ? reason : new Error(String(reason));
});
