# Fetches the ONNX Runtime library that the built-in training engine loads at run time.
#
# It comes out of the PyPI wheel, pinned by hash in tools/onnxruntime.txt: pip refuses other bytes. The library inside is
# checked a second time, so that an edited lib/ is noticed by running this again. Other platforms:
#   make onnxruntime ORT_PLATFORM=manylinux_2_28_aarch64      (or macosx_14_0_arm64)

ORT_VERSION  := 1.30.0
ORT_PLATFORM ?= manylinux_2_28_x86_64
ORT_DIR      := lib/onnxruntime
ORT_DONE     := $(ORT_DIR)/.done-$(ORT_VERSION)-$(ORT_PLATFORM)
ORT_PIP      ?= python3 -m pip

# SHA-256 of the extracted library. Only amd64 has been extracted and run by us; the others rest on the wheel's hash.
ORT_SHA256_manylinux_2_28_x86_64 := c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed

.PHONY: onnxruntime
onnxruntime: $(ORT_DONE) ## Fetch ONNX Runtime into lib/onnxruntime (hash-pinned)
	@sum='$(ORT_SHA256_$(ORT_PLATFORM))'; test -z "$$sum" || \
	  python3 -c 'import glob,hashlib,sys; \
	    f=glob.glob(sys.argv[1]+"/libonnxruntime*"); \
	    sys.exit(None if [hashlib.sha256(open(x,"rb").read()).hexdigest() for x in f]==[sys.argv[2]] \
	      else "onnxruntime: %s does not have SHA-256 %s; delete %s and run make onnxruntime again" % (f,sys.argv[2],sys.argv[1]))' \
	  $(ORT_DIR) "$$sum"

$(ORT_DONE): tools/onnxruntime.txt
	rm -rf $(ORT_DIR)
	mkdir -p $(ORT_DIR)/tmp
	$(ORT_PIP) download -q --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
	  --platform $(ORT_PLATFORM) -r tools/onnxruntime.txt -d $(ORT_DIR)/tmp
	python3 -m zipfile -e $(ORT_DIR)/tmp/*.whl $(ORT_DIR)/tmp/x
	cp $(ORT_DIR)/tmp/x/onnxruntime/capi/libonnxruntime*$(ORT_VERSION)* $(ORT_DIR)/
	cp $(ORT_DIR)/tmp/x/onnxruntime/LICENSE $(ORT_DIR)/
	rm -rf $(ORT_DIR)/tmp
	touch $@
