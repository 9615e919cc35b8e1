// The functions of native/raw.ts, by what they are about.
#pragma once

#include <napi.h>

namespace torrx {

void bindThreads(Napi::Object exports);
void bindTorrents(Napi::Object exports);
void bindPieces(Napi::Object exports);
void bindWindows(Napi::Object exports);

}  // namespace torrx
