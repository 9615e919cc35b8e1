// SHA-1 by the ARMv8 cryptography extension (ACLE §sha1). Groups of four rounds as in sha1_x86.cc.

#include "sha1_paths.hh"

#if defined(__aarch64__) && defined(__linux__)

#include <arm_neon.h>
#include <sys/auxv.h>

namespace torrx {
namespace {

// GCC spells the extension with a plus sign, Clang without.
#if defined(__clang__)
#define TORRX_ARM_CRYPTO target("crypto")
#else
#define TORRX_ARM_CRYPTO target("+crypto")
#endif

constexpr unsigned long kHwcapSha1 = 1UL << 5;
constexpr uint32_t kRoundConstants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

struct Lanes {
  uint32x4_t abcd;
  uint32_t e;
  uint32x4_t message[4];
};

__attribute__((TORRX_ARM_CRYPTO)) inline void fourRounds(Lanes& lanes, int group) {
  uint32x4_t& message = lanes.message[group % 4];
  if (group >= 4) {
    const uint32x4_t part =
        vsha1su0q_u32(message, lanes.message[(group + 1) % 4], lanes.message[(group + 2) % 4]);
    message = vsha1su1q_u32(part, lanes.message[(group + 3) % 4]);
  }
  const uint32x4_t input = vaddq_u32(message, vdupq_n_u32(kRoundConstants[group / 5]));
  const uint32_t nextE = vsha1h_u32(vgetq_lane_u32(lanes.abcd, 0));
  if (group < 5) {
    lanes.abcd = vsha1cq_u32(lanes.abcd, lanes.e, input);
  } else if (group >= 10 && group < 15) {
    lanes.abcd = vsha1mq_u32(lanes.abcd, lanes.e, input);
  } else {
    lanes.abcd = vsha1pq_u32(lanes.abcd, lanes.e, input);
  }
  lanes.e = nextE;
}

__attribute__((TORRX_ARM_CRYPTO)) void compress(uint32_t state[5], const uint8_t* data, size_t blocks) {
  Lanes lanes;
  lanes.abcd = vld1q_u32(state);
  lanes.e = state[4];
  for (; blocks > 0; blocks--, data += 64) {
    const uint32x4_t abcdThen = lanes.abcd;
    const uint32_t eThen = lanes.e;
    for (int i = 0; i < 4; i++) {
      lanes.message[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
    }
    for (int group = 0; group < 20; group++) fourRounds(lanes, group);
    lanes.abcd = vaddq_u32(lanes.abcd, abcdThen);
    lanes.e += eThen;
  }
  vst1q_u32(state, lanes.abcd);
  state[4] = lanes.e;
}

}  // namespace

Sha1Compress sha1OnArm() { return (getauxval(AT_HWCAP) & kHwcapSha1) != 0 ? compress : nullptr; }

}  // namespace torrx

#else

namespace torrx {
Sha1Compress sha1OnArm() { return nullptr; }
}  // namespace torrx

#endif
