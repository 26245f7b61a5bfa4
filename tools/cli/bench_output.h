// How `hearth bench` prints: a table for people, JSON for machines.
#pragma once

#include <cstdio>
#include <string>

#include "engine/measure/model_bench.h"

namespace hearth::cli {

/// What a report is about.
struct BenchSubject {
  std::string model;   // the file's name
  std::string device;  // "cpu"
  std::string isa;     // "avx512": the level of the kernels
  int n_threads = 0;
  int n_ubatch = 0;
  bool repack = true;
  std::string kv_type;  // of keys and values: "F16"
  std::string blas;     // "off", "auto" or "on"
  std::uint64_t file_bytes = 0;
  double load_seconds = 0;
  BenchOptions options;
  double gpu_copy = 0;  // bytes per second that the GPU copies, both ways counted; 0: no GPU
};

void print_bench_text(std::FILE* out, const BenchSubject& subject, const BenchReport& report);
void print_bench_json(std::FILE* out, const BenchSubject& subject, const BenchReport& report);

/// "prefill 512", "decode", "decode of 4": what a row of the table or a dot of the picture shows.
std::string prefill_label(const BenchOptions& options);
std::string decode_label(const BenchOptions& options);

}  // namespace hearth::cli
