// Every path that this machine has, against the vectors of FIPS 180-4 and against each other in pieces of random length.

#include "../sha1.hh"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace torrx;

namespace {

void expect(bool isTrue, const std::string& what) {
  if (isTrue) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

std::span<const uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string hex(const Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

std::string hash(Sha1Path path, std::span<const uint8_t> bytes) {
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

void matchesTheVectors(Sha1Path path) {
  const std::string name = nameOf(path);
  const std::string aMillion(1'000'000, 'a');
  const std::pair<std::string_view, const char* > vectors[] = {
      {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
       "nopqrstu",
       "a49b2446a02c645bf419f995b67091253a04a259"},
      {aMillion, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
  };
  for (const auto &[text, digest] : vectors) expect(hash(path, bytesOf(text)) == digest, name + " vector");
}

void agreesWhateverThePieces(Sha1Path path, unsigned seed) {
  std::mt19937 random(seed);
  for (int round = 0; round < 300; round++) {
    std::vector<uint8_t> bytes(random() % 5000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    Sha1 context(path);
    std::span<const uint8_t> rest(bytes);
    while (!rest.empty()) {
      const size_t part = std::min<size_t>(rest.size(), random() % 200);
      context.update(rest.first(part));
      rest = rest.subspan(part);
    }
    const std::string expected = hash(Sha1Path::portable, bytes);
    expect(hex(context.finish()) == expected,
           std::string(nameOf(path)) + " in pieces, seed " + std::to_string(seed));
  }
}

void isResetToTheBeginning(Sha1Path path) {
  Sha1 context(path);
  context.update(bytesOf("something else"));
  context.reset();
  context.update(bytesOf("abc"));
  expect(hex(context.finish()) == "a9993e364706816aba3e25717850c26c9cd0d89d", "reset");
}

}  // namespace

int main() {
  const unsigned seed = std::random_device()();
  for (const Sha1Path path : pathsHere()) {
    matchesTheVectors(path);
    agreesWhateverThePieces(path, seed);
    isResetToTheBeginning(path);
    std::printf("%s ok\n", nameOf(path));
  }
  return 0;
}
