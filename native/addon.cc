// Entry of the addon. A C++ exception never reaches JavaScript: what can go wrong is answered by value or thrown as a
// JavaScript error, and running out of small memory ends the process.

#include <napi.h>

#include "bind.hh"

static Napi::Object initialize(Napi::Env, Napi::Object exports) {
  torrx::bindThreads(exports);
  torrx::bindTorrents(exports);
  torrx::bindPieces(exports);
  torrx::bindWindows(exports);
  return exports;
}

NODE_API_MODULE(torrx, initialize)
