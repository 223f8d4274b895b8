module github.com/tidegate/tidegate/testdata/cluster

go 1.26.7
