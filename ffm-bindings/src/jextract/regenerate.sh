#!/bin/sh
# Generates src/generated/java anew from <liburing.h> and gds.h. Needs jextract on the PATH and liburing's headers;
# the result is committed, so only who changes what is bound runs this.
#
# JEXTRACT_OPTIONS is passed on, for a libclang that does not find its own headers: -I FOLDER.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
module=$(cd "$here/../.." && pwd)
generated=$module/src/generated/java

if ! command -v jextract >/dev/null 2>&1; then
  echo "error: jextract was not found on the PATH; it is needed to regenerate the bindings, not to build" >&2
  exit 1
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

# shellcheck disable=SC2086 # JEXTRACT_OPTIONS holds several words
jextract ${JEXTRACT_OPTIONS:-} -D _GNU_SOURCE "@$here/liburing.args" --output "$fresh" '<liburing.h>'
# shellcheck disable=SC2086
jextract ${JEXTRACT_OPTIONS:-} "@$here/gds.args" --output "$fresh" "$module/../native/src/main/c/gds.h"

# jextract looks symbols up among the libraries that the class loader has loaded, so it would matter who comes first.
# Asking NativeLibrary instead makes the first use of any binding load the library. Its layouts need native access too,
# so NativeLibrary goes first there as well and says which flag is missing.
for header in liburing/Liburing natives/Gds; do
  file=$fresh/io/ewok/gds/ffm/$header.java
  tr '\n' '\r' <"$file" \
    | sed 's/SymbolLookup\.loaderLookup()\r *\.or(Linker\.nativeLinker()\.defaultLookup())/io.ewok.gds.ffm.NativeLibrary.symbols()/' \
    | tr '\r' '\n' >"$file.new"
  mv "$file.new" "$file"
  grep -q 'SYMBOL_LOOKUP = io.ewok.gds.ffm.NativeLibrary.symbols();' "$file" \
    || { echo "error: this jextract writes its symbol look-up differently: file=$file" >&2; exit 1; }

  file="$fresh/io/ewok/gds/ffm/$header\$shared.java"
  sed 's/^    public static final ValueLayout.OfBoolean C_BOOL/    static {\n        io.ewok.gds.ffm.NativeLibrary.symbols();\n    }\n\n&/' \
    "$file" >"$file.new"
  mv "$file.new" "$file"
  grep -q 'io.ewok.gds.ffm.NativeLibrary.symbols();' "$file" \
    || { echo "error: this jextract writes its layouts differently: file=$file" >&2; exit 1; }
done

rm -rf "$generated"
mkdir -p "$generated"
cp -R "$fresh/io" "$generated/"
# The Javadoc of a generated package cannot be generated.
cp "$here/liburing-package-info.java" "$generated/io/ewok/gds/ffm/liburing/package-info.java"
cp "$here/natives-package-info.java" "$generated/io/ewok/gds/ffm/natives/package-info.java"
