#include "sha1.hh"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string_view>

#include "sha1_paths.hh"

namespace torrx {
namespace {

uint32_t loadBigEndian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

// FIPS 180-4 §4.1.1; choice and majority in the forms with one operation less.
template <int phase> inline uint32_t mixed(uint32_t b, uint32_t c, uint32_t d) {
  if constexpr (phase == 0) return d ^ (b & (c ^ d));
  if constexpr (phase == 2) return (b & c) | (d & (b | c));
  return b ^ c ^ d;
}

/** W[t] of FIPS 180-4 §6.1.2, of which only the last sixteen are kept. */
inline uint32_t scheduled(uint32_t w[16], int t) {
  uint32_t& word = w[t % 16];
  if (t >= 16) word = std::rotl(w[(t + 13) % 16] ^ w[(t + 8) % 16] ^ w[(t + 2) % 16] ^ word, 1);
  return word;
}

template <int phase> void twentyRounds(std::array<uint32_t, 5>& v, uint32_t w[16]) {
  constexpr uint32_t constants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  auto [a, b, c, d, e] = v;
#pragma GCC unroll 20
  for (int t = 20 * phase; t < 20 * phase + 20; t++) {
    const uint32_t next = std::rotl(a, 5) + mixed<phase>(b, c, d) + e + constants[phase] + scheduled(w, t);
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  v = {a, b, c, d, e};
}

void compressBlock(uint32_t state[5], const uint8_t* data) {
  uint32_t w[16];
  for (int t = 0; t < 16; t++) w[t] = loadBigEndian(data + 4 * t);
  std::array<uint32_t, 5> v;
  std::copy_n(state, 5, v.begin());
  twentyRounds<0>(v, w);
  twentyRounds<1>(v, w);
  twentyRounds<2>(v, w);
  twentyRounds<3>(v, w);
  for (int i = 0; i < 5; i++) state[i] += v[i];
}

void compressPortable(uint32_t state[5], const uint8_t* data, size_t blocks) {
  for (size_t i = 0; i < blocks; i++) compressBlock(state, data + 64 * i);
}

Sha1Path choosePath() {
  const char* forced = std::getenv("TORRX_SHA1");
  if (forced != nullptr && std::string_view(forced) == "portable") return Sha1Path::portable;
  for (const Sha1Path path : {Sha1Path::shaNi, Sha1Path::armv8}) {
    if (sha1CompressOf(path) != nullptr) return path;
  }
  return Sha1Path::portable;
}

}  // namespace

Sha1Compress sha1CompressOf(Sha1Path path) {
  switch (path) {
    case Sha1Path::shaNi: return sha1OnX86();
    case Sha1Path::armv8: return sha1OnArm();
    case Sha1Path::portable: break;
  }
  return compressPortable;
}

Sha1CompressTwo sha1CompressTwoOf(Sha1Path path) { return path == Sha1Path::shaNi ? sha1TwoOnX86() : nullptr; }

Sha1Path chosenSha1Path() {
  static const Sha1Path chosen = choosePath();
  return chosen;
}

const char* nameOf(Sha1Path path) {
  switch (path) {
    case Sha1Path::shaNi: return "sha-ni";
    case Sha1Path::armv8: return "armv8";
    case Sha1Path::portable: break;
  }
  return "portable";
}

void Sha1::update(std::span<const uint8_t> bytes) {
  const size_t kept = total_ % kBlockBytes;
  total_ += bytes.size();
  if (kept > 0) {
    const size_t taken = std::min(kBlockBytes - kept, bytes.size());
    std::copy_n(bytes.data(), taken, rest_.data() + kept);
    if (kept + taken < kBlockBytes) return;
    compress_(state_.data(), rest_.data(), 1);
    bytes = bytes.subspan(taken);
  }
  const size_t blocks = bytes.size() / kBlockBytes;
  if (blocks > 0) compress_(state_.data(), bytes.data(), blocks);
  bytes = bytes.subspan(blocks * kBlockBytes);
  std::copy_n(bytes.data(), bytes.size(), rest_.data());
}

void Sha1::updateTwo(Sha1& first, std::span<const uint8_t> firstBytes, Sha1& second,
                     std::span<const uint8_t> secondBytes) {
  const bool isBetween = first.total_ % kBlockBytes == 0 && second.total_ % kBlockBytes == 0;
  if (isBetween && first.compressTwo_ != nullptr) {
    const size_t blocks = std::min(firstBytes.size(), secondBytes.size()) / kBlockBytes;
    const size_t length = blocks * kBlockBytes;
    first.compressTwo_(first.state_.data(), firstBytes.data(), second.state_.data(), secondBytes.data(), blocks);
    first.total_ += length;
    second.total_ += length;
    firstBytes = firstBytes.subspan(length);
    secondBytes = secondBytes.subspan(length);
  }
  first.update(firstBytes);
  second.update(secondBytes);
}

Digest Sha1::finish() {
  const uint64_t bits = total_ * 8;
  static constexpr std::array<uint8_t, kBlockBytes> padding{0x80};
  const size_t kept = total_ % kBlockBytes;
  update(std::span(padding).first(kept < 56 ? 56 - kept : 120 - kept));
  std::array<uint8_t, 8> length;
  for (int i = 0; i < 8; i++) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  update(length);
  Digest digest;
  for (int i = 0; i < 20; i++) digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

}  // namespace torrx
