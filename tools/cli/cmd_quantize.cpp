// hearth quantize IN OUT TYPE: a GGUF file in another quant type.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "engine/quantize/quantize.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress_bar.h"

namespace hearth::cli {
namespace {

struct Arguments {
  std::string in;
  std::string out;
  std::string type;
  int threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  bool allow_requantize = false;
  bool stats = false;
  bool json = false;
};

std::string type_list() {
  std::string text = "Types, the largest files first:\n";
  for (const Mix& mix : all_mixes()) text += fmt::format("  {:<10} {}\n", mix.name, mix.hint);
  return text;
}

double bits_per_weight(const QuantizeReport& report) {
  std::uint64_t bytes = 0;
  std::uint64_t elements = 0;
  for (const TensorReport& tensor : report.tensors) {
    bytes += tensor.bytes;
    elements += tensor.elements;
  }
  return elements == 0 ? 0.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements);
}

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

std::string_view type_name(QuantType type) {
  return quant_type_info(type).name;
}

nlohmann::json to_json(const Arguments& arguments, const QuantizeReport& report, double seconds) {
  nlohmann::json tensors = nlohmann::json::array();
  for (const TensorReport& tensor : report.tensors) {
    nlohmann::json row = {
        {"name", tensor.name},         {"from", type_name(tensor.from)},
        {"to", type_name(tensor.to)},  {"fallback", tensor.reason == TypeReason::kFallback},
        {"elements", tensor.elements}, {"bytes", tensor.bytes}};
    if (tensor.nmse) row["nmse"] = *tensor.nmse;
    tensors.push_back(std::move(row));
  }
  return {{"input", arguments.in},
          {"output", arguments.out},
          {"type", arguments.type},
          {"bytes_in", report.bytes_in},
          {"bytes_out", report.bytes_out},
          {"bits_per_weight", bits_per_weight(report)},
          {"seconds", seconds},
          {"tensors", std::move(tensors)}};
}

/// Tensors of one type in the result.
struct TypeTotal {
  int tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  double error_sum = 0;  // of the NMSE of those that were converted
  double error_max = 0;
  int converted = 0;
};

std::map<QuantType, TypeTotal> by_type(const QuantizeReport& report) {
  std::map<QuantType, TypeTotal> totals;
  for (const TensorReport& tensor : report.tensors) {
    TypeTotal& total = totals[tensor.to];
    ++total.tensors;
    total.elements += tensor.elements;
    total.bytes += tensor.bytes;
    if (!tensor.nmse) continue;
    ++total.converted;
    total.error_sum += *tensor.nmse;
    total.error_max = std::max(total.error_max, *tensor.nmse);
  }
  return totals;
}

void print_statistics(const QuantizeReport& report) {
  fmt::print("{:<8}{:>9}{:>14}{:>12}{:>12}{:>12}\n", "type", "tensors", "weights", "MB",
             "mean NMSE", "worst NMSE");
  for (const auto& [type, total] : by_type(report)) {
    fmt::print("{:<8}{:>9}{:>14}{:>12.1f}", type_name(type), total.tensors, total.elements,
               megabytes(total.bytes));
    if (total.converted > 0) {
      fmt::print("{:>12.2e}{:>12.2e}", total.error_sum / total.converted, total.error_max);
    }
    fmt::print("\n");
  }
}

void print_summary(const Arguments& arguments, const QuantizeReport& report, double seconds) {
  fmt::print("{}: {:.1f} MB -> {:.1f} MB, {:.2f} bits per weight, {:.1f} s\n", arguments.out,
             megabytes(report.bytes_in), megabytes(report.bytes_out), bits_per_weight(report),
             seconds);
  const auto fell_back =
      std::ranges::count(report.tensors, TypeReason::kFallback, &TensorReport::reason);
  if (fell_back > 0) {
    fmt::print(
        "{} of {} tensors have rows that do not fit the blocks of {} and got a larger type\n",
        fell_back, report.tensors.size(), arguments.type);
  }
  if (arguments.stats) print_statistics(report);
}

void run(const Arguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const gguf::Reader in = gguf::Reader::open(arguments.in);
  const QuantizeOptions options = {arguments.threads, arguments.allow_requantize, arguments.stats};
  QuantizeReport report;
  {
    ProgressBar bar("quantize");
    report = quantize_model(in, arguments.out, *find_mix(arguments.type), options, bar.progress());
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (arguments.json) {
    fmt::print("{}\n", to_json(arguments, report, elapsed.count()).dump(2));
  } else {
    print_summary(arguments, report, elapsed.count());
  }
}

/// Takes any letter case and leaves the name as the table has it.
std::string check_type(std::string& name) {
  const Mix* mix = find_mix(name);
  if (!mix) return fmt::format("no type is called {}; hearth quantize --help lists them", name);
  name = mix->name;
  return "";
}

}  // namespace

void add_quantize(CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  Command command = line.command("quantize", "Write a GGUF file in another quant type");
  command.option("IN", arguments->in, "the model; F32, F16 or BF16").required();
  command.option("OUT", arguments->out, "the file to write").required();
  command.option("TYPE", arguments->type, "e.g. Q4_K_M; see below").required().check(check_type);
  command.option("-t,--threads", arguments->threads, "threads; the result is always the same")
      .range(1, 1024);
  command.flag("--allow-requantize", arguments->allow_requantize,
               "take a file that is quantised already, at a loss");
  command.flag("--stats", arguments->stats, "measure the error of every tensor");
  command.flag("--json", arguments->json, "print a report for machines");
  command.footer(type_list());
  command.runs([arguments] { run(*arguments); });
}

}  // namespace hearth::cli
