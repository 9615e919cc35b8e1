// Bytes of 1 MiB pieces hashed per second of CPU, by each path that this machine has. See sha1.ts.

#include <ctime>

#include <cstdio>
#include <vector>

#include "sha1.hh"

using namespace torrx;

namespace {

constexpr size_t kPieceBytes = 1 << 20;
constexpr int kPieces = 256;
constexpr int kRounds = 5;

double cpuSec() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double bestGbPerSec(Sha1Path path, const std::vector<uint8_t>& piece) {
  double best = 0;
  for (int round = 0; round < kRounds; round++) {
    const double start = cpuSec();
    for (int i = 0; i < kPieces; i++) {
      Sha1 context(path);
      context.update(piece);
      context.finish();
    }
    const double gb = static_cast<double>(kPieces) * kPieceBytes / 1e9;
    const double rate = gb / (cpuSec() - start);
    if (rate > best) best = rate;
  }
  return best;
}

double bestGbPerSecOfTwo(Sha1Path path, const std::vector<uint8_t>& piece) {
  double best = 0;
  for (int round = 0; round < kRounds; round++) {
    const double start = cpuSec();
    for (int i = 0; i < kPieces / 2; i++) {
      Sha1 first(path), second(path);
      Sha1::updateTwo(first, piece, second, piece);
      first.finish();
      second.finish();
    }
    const double rate = static_cast<double>(kPieces) * kPieceBytes / 1e9 / (cpuSec() - start);
    if (rate > best) best = rate;
  }
  return best;
}

}  // namespace

int main() {
  std::vector<uint8_t> piece(kPieceBytes);
  for (size_t i = 0; i < piece.size(); i++) piece[i] = static_cast<uint8_t>(i * 2654435761U >> 13);
  for (const Sha1Path path : {Sha1Path::shaNi, Sha1Path::armv8, Sha1Path::portable}) {
    if (sha1CompressOf(path) == nullptr) continue;
    std::printf("%-9s %.2f GB/s per core\n", nameOf(path), bestGbPerSec(path, piece));
    if (sha1CompressTwoOf(path) == nullptr) continue;
    std::printf("  two     %.2f GB/s per core\n", bestGbPerSecOfTwo(path, piece));
  }
}
