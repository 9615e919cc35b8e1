// SHA-1 (FIPS 180-4) with an incremental context. The code for the machine's own instructions is chosen once, at run
// time; TORRX_SHA1=portable in the environment forces the portable one, and tests name a path for one context.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace torrx {

using Digest = std::array<uint8_t, 20>;

enum class Sha1Path { portable, shaNi, armv8 };

/** Mixes `blocks` blocks of 64 bytes into `state`. */
using Sha1Compress = void (*)(uint32_t state[5], const uint8_t* data, size_t blocks);

/** The same for two messages at once: the rounds of one fill the time that those of the other wait. */
using Sha1CompressTwo = void (*)(uint32_t first[5], const uint8_t* firstData, uint32_t second[5],
                                 const uint8_t* secondData, size_t blocks);

/** nullptr where this build or this machine has no such path. */
Sha1Compress sha1CompressOf(Sha1Path path);
/** nullptr where two at once are no faster than one after the other. */
Sha1CompressTwo sha1CompressTwoOf(Sha1Path path);
/** The path that contexts take where none is named; fixed for the life of the process. */
Sha1Path chosenSha1Path();
const char* nameOf(Sha1Path path);

class Sha1 {
 public:
  explicit Sha1(Sha1Path path = chosenSha1Path())
      : compress_(sha1CompressOf(path)), compressTwo_(sha1CompressTwoOf(path)) {}

  void update(std::span<const uint8_t> bytes);
  /** Two updates of as many bytes each; both contexts are of one path. */
  static void updateTwo(Sha1& first, std::span<const uint8_t> firstBytes, Sha1& second,
                        std::span<const uint8_t> secondBytes);
  /** Ends the context. */
  Digest finish();

 private:
  static constexpr size_t kBlockBytes = 64;

  Sha1Compress compress_;
  Sha1CompressTwo compressTwo_;
  std::array<uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<uint8_t, kBlockBytes> rest_{};
  uint64_t total_ = 0;
};

}  // namespace torrx
