#include "tools/cli/bench_output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/cli/units.h"

namespace hearth::cli {
namespace {

constexpr double kGiga = 1e9;

std::string percent(double share) {
  return share < 0.0995 ? fmt::format("{:.1f} %", 100.0 * share)
                        : fmt::format("{:.0f} %", 100.0 * share);
}

const char* bound_name(const Measured& measured) {
  return measured.is_bound_by_memory() ? "memory" : "arithmetic";
}

void print_row(std::FILE* out, const std::string& label, int depth, const Measured& measured) {
  fmt::print(
      out, "{:<14}{:>8}{:>12.2f}{:>20}{:>13}{:>9}   {}\n", label, depth, measured.tokens_per_second,
      fmt::format("{:.2f} - {:.2f}", measured.lowest, measured.highest),
      percent(measured.arithmetic_share), percent(measured.memory_share), bound_name(measured));
}

nlohmann::json to_json(const Measured& measured, double tokens) {
  return {{"tps", measured.tokens_per_second},
          {"tps_lowest", measured.lowest},
          {"tps_highest", measured.highest},
          {"share_of_arithmetic", measured.arithmetic_share},
          {"share_of_read_bandwidth", measured.memory_share},
          {"bound_by", bound_name(measured)},
          {"gop_per_token", measured.work.operations() / tokens / kGiga},
          {"gb_per_pass", measured.work.bytes / kGiga}};
}

/// How much of what the GPU copies a kind of work reads.
double share_of_copy(const BenchSubject& subject, const Measured& measured) {
  return measured.work.bytes * measured.work_per_second / subject.gpu_copy;
}

}  // namespace

std::string prefill_label(const BenchOptions& options) {
  return fmt::format("prefill {}", options.n_prompt);
}

std::string decode_label(const BenchOptions& options) {
  return options.n_batch == 1 ? "decode" : fmt::format("decode of {}", options.n_batch);
}

void print_bench_text(std::FILE* out, const BenchSubject& subject, const BenchReport& report) {
  const Ceilings& most = report.ceilings;
  fmt::print(out,
             "{}: {}, {}, {} kernels, {} threads, {} keys and values, loaded in {:.2f} s, at most "
             "{} of memory\n",
             subject.model, bytes_text(subject.file_bytes), subject.device, subject.isa,
             subject.n_threads, subject.kv_type, subject.load_seconds, bytes_text(report.peak_rss));
  fmt::print(out,
             "this machine at most: int8 {:.0f} GOP/s, bf16 {:.0f} GFLOP/s, float {:.0f} GFLOP/s, "
             "reads {:.1f} GB/s\n\n",
             most.int8 / kGiga, most.bf16 / kGiga, most.fma / kGiga, most.read / kGiga);
  fmt::print(out, "{:<14}{:>8}{:>12}{:>20}{:>13}{:>9}   {}\n", "", "depth", "tokens/s",
             fmt::format("in {} rounds", subject.options.rounds), "arithmetic", "memory",
             "bound by");
  for (const BenchPoint& point : report.points) {
    if (point.prefill) print_row(out, prefill_label(subject.options), point.depth, *point.prefill);
    if (point.decode) print_row(out, decode_label(subject.options), point.depth, *point.decode);
  }
  if (subject.gpu_copy > 0 && report.points.front().decode) {
    fmt::print(out, "\nThe GPU copies {:.1f} GB/s; decoding reads {} of that.\n",
               subject.gpu_copy / kGiga,
               percent(share_of_copy(subject, *report.points.front().decode)));
  }
  fmt::print(out,
             "\nPercentages: of what this machine can do at most, measured between the "
             "rounds.\n");
}

void print_bench_json(std::FILE* out, const BenchSubject& subject, const BenchReport& report) {
  nlohmann::json json = {{"model", subject.model},
                         {"device", subject.device},
                         {"isa", subject.isa},
                         {"threads", subject.n_threads},
                         {"ubatch", subject.n_ubatch},
                         {"repack", subject.repack},
                         {"kv_type", subject.kv_type},
                         {"blas", subject.blas},
                         {"n_prompt", subject.options.n_prompt},
                         {"n_decode", subject.options.n_decode},
                         {"batch", subject.options.n_batch},
                         {"rounds", subject.options.rounds},
                         {"file_bytes", subject.file_bytes},
                         {"load_s", subject.load_seconds},
                         {"peak_rss_bytes", report.peak_rss}};
  json["ceilings"] = {{"int8_gops", report.ceilings.int8 / kGiga},
                      {"bf16_gflops", report.ceilings.bf16 / kGiga},
                      {"fma_gflops", report.ceilings.fma / kGiga},
                      {"read_gb_per_s", report.ceilings.read / kGiga}};
  if (subject.gpu_copy > 0) json["ceilings"]["gpu_copy_gb_per_s"] = subject.gpu_copy / kGiga;
  // the first depth's figures again, for scripts that want just those
  const BenchPoint& first = report.points.front();
  json["prefill_tps"] = nullptr;
  json["decode_tps"] = nullptr;
  if (first.prefill) {
    json["prefill_tps"] = first.prefill->tokens_per_second;
    json["prefill_share"] = first.prefill->arithmetic_share;
  }
  if (first.decode) {
    json["decode_tps"] = first.decode->tokens_per_second;
    json["decode_share"] = first.decode->memory_share;
    if (subject.gpu_copy > 0) json["decode_share_of_gpu"] = share_of_copy(subject, *first.decode);
  }
  json["results"] = nlohmann::json::array();
  for (const BenchPoint& point : report.points) {
    nlohmann::json row = {{"depth", point.depth}};
    if (point.prefill) row["prefill"] = to_json(*point.prefill, subject.options.n_prompt);
    if (point.decode) row["decode"] = to_json(*point.decode, subject.options.n_batch);
    json["results"].push_back(std::move(row));
  }
  fmt::print(out, "{}\n", json.dump(2));
}

}  // namespace hearth::cli
