// SHA-1 by Intel's SHA extensions (Intel SDM vol. 2, SHA1RNDS4 and its kin). A group is four rounds; the schedule of a
// group is made from the four before it, which live in a ring of four registers.

#include "sha1_paths.hh"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace torrx {
namespace {

#define TORRX_SHA_NI __attribute__((target("sha,sse4.1"), always_inline)) inline

struct Lanes {
  __m128i abcd;
  /** E of the group to come lies in the top lane once sha1nexte has rotated it. */
  __m128i before;
  __m128i message[4];
};

template <int group> TORRX_SHA_NI void fourRounds(Lanes& lanes) {
  __m128i& message = lanes.message[group % 4];
  if constexpr (group >= 4) {
    // W[t-16] ^ W[t-14], then ^ W[t-8], then ^ W[t-3] and the rotation: FIPS 180-4 §6.1.2, four words at once.
    message = _mm_sha1msg1_epu32(message, lanes.message[(group + 1) % 4]);
    message = _mm_xor_si128(message, lanes.message[(group + 2) % 4]);
    message = _mm_sha1msg2_epu32(message, lanes.message[(group + 3) % 4]);
  }
  const __m128i e = group == 0 ? _mm_add_epi32(lanes.before, message) : _mm_sha1nexte_epu32(lanes.before, message);
  lanes.before = lanes.abcd;
  lanes.abcd = _mm_sha1rnds4_epu32(lanes.abcd, e, group / 5);
}

template <int group, int count> TORRX_SHA_NI void roundsFrom(Lanes (&lanes)[count]) {
  fourRounds<group>(lanes[0]);
  if constexpr (count == 2) fourRounds<group>(lanes[1]);
  if constexpr (group < 19) roundsFrom<group + 1>(lanes);
}

/** One message or two: more do not fit into the registers, and neither do two unless every loop is unrolled. */
template <int count>
TORRX_SHA_NI void compressSome(uint32_t* const (&states)[count], const uint8_t* (&data)[count], size_t blocks) {
  const __m128i bigEndian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  Lanes lanes[count];
  __m128i e[count];
#pragma GCC unroll 2
  for (int n = 0; n < count; n++) {
    lanes[n].abcd = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(states[n])), 0x1b);
    e[n] = _mm_set_epi32(static_cast<int>(states[n][4]), 0, 0, 0);
  }
  for (; blocks > 0; blocks--) {
    __m128i abcdThen[count];
#pragma GCC unroll 2
    for (int n = 0; n < count; n++) {
      abcdThen[n] = lanes[n].abcd;
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const auto* words = reinterpret_cast<const __m128i*>(data[n] + 16 * i);
        lanes[n].message[i] = _mm_shuffle_epi8(_mm_loadu_si128(words), bigEndian);
      }
      lanes[n].before = e[n];
      data[n] += 64;
    }
    roundsFrom<0>(lanes);
#pragma GCC unroll 2
    for (int n = 0; n < count; n++) {
      e[n] = _mm_sha1nexte_epu32(lanes[n].before, e[n]);
      lanes[n].abcd = _mm_add_epi32(lanes[n].abcd, abcdThen[n]);
    }
  }
#pragma GCC unroll 2
  for (int n = 0; n < count; n++) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(states[n]), _mm_shuffle_epi32(lanes[n].abcd, 0x1b));
    states[n][4] = static_cast<uint32_t>(_mm_extract_epi32(e[n], 3));
  }
}

__attribute__((target("sha,sse4.1"))) void compress(uint32_t state[5], const uint8_t* data, size_t blocks) {
  uint32_t* const states[] = {state};
  const uint8_t* messages[] = {data};
  compressSome(states, messages, blocks);
}

__attribute__((target("sha,sse4.1"))) void compressTwo(uint32_t first[5], const uint8_t* firstData, uint32_t second[5],
                                                       const uint8_t* secondData, size_t blocks) {
  uint32_t* const states[] = {first, second};
  const uint8_t* messages[] = {firstData, secondData};
  compressSome(states, messages, blocks);
}

bool machineHasIt() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool hasSse41 = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0;
  return hasSse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

bool isHere() {
  // Asked once: in a virtual machine each cpuid is a trap into the host, 10 µs.
  static const bool isThere = machineHasIt();
  return isThere;
}

}  // namespace

Sha1Compress sha1OnX86() { return isHere() ? compress : nullptr; }
Sha1CompressTwo sha1TwoOnX86() { return isHere() ? compressTwo : nullptr; }

}  // namespace torrx

#else

namespace torrx {
Sha1Compress sha1OnX86() { return nullptr; }
Sha1CompressTwo sha1TwoOnX86() { return nullptr; }
}  // namespace torrx

#endif
