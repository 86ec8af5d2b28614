/**
 * Generated bindings of {@code native/src/main/c/gds.h}, for {@code io.ewok.gds.ffm} only, which checks what it passes.
 * Written by jextract through {@code src/jextract/regenerate.sh}; change {@code gds.args}, not these files.
 */
package io.ewok.gds.ffm.natives;
