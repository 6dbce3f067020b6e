#!/bin/bash
# BigBlueButton STAND-IN @LINE@: takes bbb-install's place where BigBlueButton's own packages can't be had. A Python program
# follows, packed as a zip: unzip -p bbb-install.sh __main__.py
exec /usr/bin/python3 -I "$0" "$@"
