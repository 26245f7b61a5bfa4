// How fast a vocabulary loads and a text becomes ids: bench_tokenizer VOCAB.gguf TEXT [PRE]
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "base/error.h"
#include "gguf/reader.h"
#include "tokenizer/text_splitter.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error({.where = path, .what = "cannot be read", .expected = {}, .got = {}});
  return {std::istreambuf_iterator<char>(in), {}};
}

std::unique_ptr<Tokenizer> load(const char* path, std::string_view pre) {
  return Tokenizer::create(vocab_from_gguf(gguf::Reader::open(path), pre));
}

void count_bytes(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 3) throw Error("usage: bench_tokenizer VOCAB.gguf TEXT [PRE]");
  const char* path = argv[1];
  const std::string text = read_file(argv[2]);
  const std::string pre = argc > 3 ? argv[3] : "";

  benchmark::RegisterBenchmark("load", [=](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(load(path, pre));
  })->Unit(benchmark::kMillisecond);

  const std::shared_ptr<const Tokenizer> tokenizer = load(path, pre);
  if (tokenizer->vocab().kind == TokenizerKind::bpe) {
    benchmark::RegisterBenchmark("split", [=](benchmark::State& state) {
      const TextSplitter splitter(find_pre_tokenizer(tokenizer->vocab().pre));
      for (auto _ : state) {
        std::size_t n_words = 0;
        splitter.split(text, [&](std::string_view) { ++n_words; });
        benchmark::DoNotOptimize(n_words);
      }
      count_bytes(state, text);
    })->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("encode", [=](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->encode(text));
    count_bytes(state, text);
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("decode", [=](benchmark::State& state) {
    const auto ids = tokenizer->encode(text);
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->decode(ids));
    count_bytes(state, text);
  })->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  try {
    hearth::run(argc, argv);
    return 0;
  } catch (const hearth::Error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
