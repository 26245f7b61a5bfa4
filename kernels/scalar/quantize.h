// Quantisers of the scalar level, one per quant type, in quantize_<family>.cpp:
// float (F32, F16, BF16), plain (one scale per 32 elements), k (super-blocks of 256), codebook.
// All have the contract of QuantizeRow (kernels/kernel_table.h).
#pragma once

#include <cstddef>

namespace hearth::kernels::scalar {

void quantize_row_f32(const float* row, void* out, std::size_t n);
void quantize_row_f16(const float* row, void* out, std::size_t n);
void quantize_row_bf16(const float* row, void* out, std::size_t n);

void quantize_row_q4_0(const float* row, void* out, std::size_t n);
void quantize_row_q4_1(const float* row, void* out, std::size_t n);
void quantize_row_q5_0(const float* row, void* out, std::size_t n);
void quantize_row_q5_1(const float* row, void* out, std::size_t n);
void quantize_row_q8_0(const float* row, void* out, std::size_t n);

void quantize_row_q2_k(const float* row, void* out, std::size_t n);
void quantize_row_q3_k(const float* row, void* out, std::size_t n);
void quantize_row_q4_k(const float* row, void* out, std::size_t n);
void quantize_row_q5_k(const float* row, void* out, std::size_t n);
void quantize_row_q6_k(const float* row, void* out, std::size_t n);

void quantize_row_iq4_nl(const float* row, void* out, std::size_t n);
void quantize_row_iq4_xs(const float* row, void* out, std::size_t n);
void quantize_row_mxfp4(const float* row, void* out, std::size_t n);

}  // namespace hearth::kernels::scalar
