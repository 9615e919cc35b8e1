// The paths that need instructions of one architecture; each is nullptr where the machine has not got them.

#pragma once

#include "sha1.hh"

namespace torrx {

Sha1Compress sha1OnX86();
Sha1CompressTwo sha1TwoOnX86();
Sha1Compress sha1OnArm();

}  // namespace torrx
