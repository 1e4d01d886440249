#separator \x09
#fields	indicator	indicator_type	meta.source	meta.desc	meta.url
c2.zeek.example	Intel::DOMAIN	feed	RAT	-
192.0.2.33	Intel::ADDR	feed	-	-
198.51.100.0/24	Intel::SUBNET	feed	-	-
url.zeek.example/a.exe	Intel::URL	feed	-	-
d41d8cd98f00b204e9800998ecf8427e	Intel::FILE_HASH	feed	-	-
blanks.zeek.example Intel::DOMAIN feed
