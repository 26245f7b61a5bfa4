// How fast an embedding model is: bench_embed MODEL.gguf [TEXTS [TOKENS]], 32 texts of 128 tokens
// unless told. README.md says how to read it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/measure/ceilings.h"
#include "engine/runtime/embedder.h"
#include "gguf/reader.h"

namespace hearth {
namespace {

constexpr int kThreads = 2;
constexpr int kRounds = 7;

/// Texts of so many tokens, the two special ones included: letters by themselves.
std::vector<std::string> texts(std::size_t n, int n_tokens) {
  std::vector<std::string> all(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (int t = 2; t < n_tokens; ++t) {
      all[i] += static_cast<char>('a' + (i * 7 + static_cast<std::size_t>(t)) % 26);
      all[i] += ' ';
    }
  }
  return all;
}

/// Multiplications and additions that the layers' matrices ask of a token.
double operations_per_token(const gguf::Reader& file) {
  double n = 0;
  for (const gguf::Tensor& tensor : file.tensors()) {
    if (!tensor.name.starts_with("blk.") || tensor.dims[1] == 1) continue;
    n += 2.0 * static_cast<double>(tensor.dims[0]) * static_cast<double>(tensor.dims[1]);
  }
  return n;
}

/// Those that attention asks of a token of a text of n_tokens: its scores, and the sums of values.
double attention_per_token(const gguf::Reader& file, int n_tokens) {
  const std::string arch(file.at("general.architecture").as_string());
  const auto n_layers = static_cast<double>(file.at(arch + ".block_count").as_int());
  const auto width = static_cast<double>(file.at(arch + ".embedding_length").as_int());
  return 2.0 * n_layers * 2.0 * width * n_tokens;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(int argc, char** argv) {
  if (argc < 2) throw Error("usage: bench_embed MODEL.gguf [TEXTS [TOKENS]]");
  const std::size_t n_texts = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 32;
  const int n_tokens = argc > 3 ? std::atoi(argv[3]) : 128;
  const gguf::Reader file = gguf::Reader::open(argv[1]);
  EmbedderOptions options;
  options.load.n_threads = kThreads;
  Embedder embedder(file, options);
  const std::vector<std::string> all = texts(n_texts, n_tokens);
  const gguf::Tensor* matrix = file.find_tensor("blk.0.ffn_up.weight");
  const bool is_float =
      matrix && (matrix->type == QuantType::F32 || matrix->type == QuantType::F16);
  CeilingMeter meter(kThreads);
  const double in_matrices = operations_per_token(file);
  const double in_attention = attention_per_token(file, n_tokens);
  std::vector<double> rates, shares, shares_of_both;
  for (int round = 0; round <= kRounds; ++round) {
    const Ceilings ceilings = meter.measure();
    const auto start = std::chrono::steady_clock::now();
    std::size_t n = 0;
    for (const Embedding& e : embedder.embed(all, TextRole::plain)) {
      n += static_cast<std::size_t>(e.n_kept);
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (round == 0) continue;  // the first one touches the memory
    rates.push_back(static_cast<double>(n) / elapsed.count());
    const double matrices = in_matrices / (is_float ? ceilings.fma : ceilings.int8);
    shares.push_back(rates.back() * matrices);
    shares_of_both.push_back(rates.back() * (matrices + in_attention / ceilings.fma));
  }
  fmt::print(
      "{}: {} texts of {} tokens: {:.0f} tokens/s, {:.1f} % of {} ({:.1f} to {:.1f}); "
      "with attention, which is in floats, {:.1f} % of what the ceilings allow\n",
      argv[1], n_texts, n_tokens, median(rates), median(shares) * 100, is_float ? "floats" : "int8",
      *std::min_element(shares.begin(), shares.end()) * 100,
      *std::max_element(shares.begin(), shares.end()) * 100, median(shares_of_both) * 100);
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  try {
    hearth::run(argc, argv);
    return 0;
  } catch (const hearth::Error& error) {
    fmt::print(stderr, "bench_embed: {}\n", error.what());
    return 1;
  }
}
