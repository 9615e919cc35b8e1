// Every path that this machine has, against the vectors of FIPS 180-4 and against each other in parts of any length.

#include <algorithm>
#include <string>
#include <string_view>

#include "../sha1.hh"
#include "check.hh"

namespace torrx::test {
namespace {

std::span<const std::uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

std::string hashOf(Sha1Path path, std::span<const std::uint8_t> bytes) {
  Sha1 context(path);
  context.update(bytes);
  return hex(context.finish());
}

std::vector<Sha1Path> pathsHere() {
  std::vector<Sha1Path> paths{Sha1Path::portable};
  for (const Sha1Path path : {Sha1Path::shaNi, Sha1Path::armv8}) {
    if (sha1CompressOf(path) != nullptr) paths.push_back(path);
  }
  return paths;
}

TEST("sha1: each path gives the digests of FIPS 180-4") {
  const std::string aMillion(1'000'000, 'a');
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
       "nopqrstu",
       "a49b2446a02c645bf419f995b67091253a04a259"},
      {aMillion, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
  };
  for (const Sha1Path path : pathsHere()) {
    for (const auto& [text, digest] : vectors) CHECK(hashOf(path, bytesOf(text)) == digest);
  }
}

TEST("sha1: every path agrees with the portable one, in whatever parts the bytes come") {
  Random random(seed());
  for (int round = 0; round < 300; round++) {
    std::vector<std::uint8_t> bytes(random(5000));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random(256));
    const std::string expected = hashOf(Sha1Path::portable, bytes);
    for (const Sha1Path path : pathsHere()) {
      Sha1 context(path);
      for (std::span<const std::uint8_t> rest(bytes); !rest.empty();) {
        const std::size_t part = std::min<std::size_t>(rest.size(), random(200));
        context.update(rest.first(part));
        rest = rest.subspan(part);
      }
      CHECK(hex(context.finish()) == expected);
    }
  }
}

TEST("sha1: two at once give what each gives alone, from any state and for any lengths") {
  Random random(seed());
  for (int round = 0; round < 300; round++) {
    std::vector<std::uint8_t> one(random(5000)), other(random(5000));
    for (std::uint8_t& byte : one) byte = static_cast<std::uint8_t>(random(256));
    for (std::uint8_t& byte : other) byte = static_cast<std::uint8_t>(random(256));
    for (const Sha1Path path : pathsHere()) {
      Sha1 first(path), second(path);
      // Some begin between blocks, some within one.
      const std::size_t begun = std::min<std::size_t>(one.size(), random(2) == 0 ? random(200) : 64 * random(3));
      first.update(std::span(one).first(begun));
      Sha1::updateTwo(first, std::span(one).subspan(begun), second, other);
      CHECK(hex(first.finish()) == hashOf(Sha1Path::portable, one));
      CHECK(hex(second.finish()) == hashOf(Sha1Path::portable, other));
    }
  }
}

}  // namespace
}  // namespace torrx::test
