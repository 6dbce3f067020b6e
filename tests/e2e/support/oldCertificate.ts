/** Script for a certificate of 90 days of which three and a half are left. */
export const OLD_CERTIFICATE = `
cd "$(mktemp -d)"; touch index.txt
printf '[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index.txt\\nnew_certs_dir=.\\nrand_serial=yes\\ndefault_md=sha256\\n' >ca.cnf
printf 'policy=p\\ncopy_extensions=copy\\n[p]\\ncommonName=supplied\\n' >>ca.cnf
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -subj "/CN=$1" -addext "subjectAltName=DNS:$1" -out csr
openssl ca -batch -notext -config ca.cnf -selfsign -keyfile key -in csr -out certificate \\
  -startdate "$(date -ud '-86 days -12 hours' +%Y%m%d%H%M%SZ)" -enddate "$(date -ud '+84 hours' +%Y%m%d%H%M%SZ)"
cat certificate >/etc/turnserver/fullchain.pem
cat key >/etc/turnserver/privkey.pem
systemctl restart coturn`;
